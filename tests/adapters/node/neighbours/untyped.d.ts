// Packages without types of their own: what is used of them.

declare module 'http-compression' {
  const compress: (options?: { threshold?: number; brotli?: boolean }) => unknown;
  export default compress;
}

declare module 'connect-livereload' {
  const livereload: (options?: { port?: number }) => unknown;
  export default livereload;
}
