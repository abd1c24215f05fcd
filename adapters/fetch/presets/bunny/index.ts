// `waygate/bunny`: applications on bunny.net's Edge Scripting. Its native object is the request, `fetch.request`.

export { type BunnyHandler, type BunnyOptions, toBunny } from './to-bunny.ts';
