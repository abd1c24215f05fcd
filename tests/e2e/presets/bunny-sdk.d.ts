// What bunny-suite.ts uses of the SDK, which is installed only when its test runs.
declare module '@bunny.net/edgescript-sdk' {
  export const net: {
    http: {
      serve(
        listener: { port: number; hostname: string },
        handler: (request: Request) => Response | Promise<Response>,
      ): object;
    };
  };
}
