// `wsgi.input` with somebody looking at what is read of it. It runs on every platform.

import type { Environ, InputStream } from 'waygate';

/**
 * Puts an input in the place of the environ's own that gives the same, and reports each piece that is read.
 *
 * @param environ changed in place
 * @param read called with the bytes of each read, in order
 */
export function watchInput(environ: Environ, read: (bytes: Uint8Array) => void): void {
  const input = environ['wsgi.input'];
  const told = <T extends Uint8Array>(bytes: T): T => {
    if (bytes.byteLength > 0) read(bytes);
    return bytes;
  };
  const watched: InputStream = {
    read: async (...size) => told(await input.read(...size)),
    readline: async (...size) => told(await input.readline(...size)),
    readlines: async (...hint) => (await input.readlines(...hint)).map(told),
    bytes: async () => told(await input.bytes()),
    text: async () => new TextDecoder().decode(told(await input.bytes())),
    json: async () => JSON.parse(new TextDecoder().decode(told(await input.bytes()))),
    stream: () =>
      input.stream().pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(chunk, controller) {
            controller.enqueue(told(chunk));
          },
        }),
      ),
    [Symbol.asyncIterator]: () => {
      const lines = input[Symbol.asyncIterator]();
      return {
        next: async () => {
          const step = await lines.next();
          if (!step.done) told(step.value);
          return step;
        },
      };
    },
  };
  environ['wsgi.input'] = watched;
}
