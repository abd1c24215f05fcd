// `waygate/middleware`: applications made of other applications.

export { type Mounts, mount } from './mount.ts';
export { PROXY_FIX_ORIGINAL, type ProxyFixOptions, type ProxyFixOriginal, proxyFix, type Trust } from './proxy-fix.ts';
export { validator } from './validator/index.ts';
