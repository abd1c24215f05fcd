// Which media types get smaller when they are compressed. A rule of a few lines instead of a database of types, which would
// be larger than most applications.

const BY_KIND = /^text\/|[/+](?:json|xml|text|yaml)$/;

const BY_NAME =
  /^(?:application\/(?:(?:x-)?javascript|ecmascript|json5|json-seq|json-patch|x-ndjson|ndjson|jsonl|graphql|wasm|manifest|rtf|sql|toml|x-sh|x-httpd-php|x-tar|tar|dart|postscript|x-ns-proxy-autoconfig|x-web-app-manifest|x-virtualbox-\w{3,4}|xml-dtd|xml-external-parsed-entity|vnd\.(?:ms-fontobject|apple\.mpegurl|dart|ms-opentype|adobe\.photoshop)|x-www-form-urlencoded)|font\/(?:otf|ttf|collection|sfnt)|image\/(?:bmp|x-ms-bmp|x-icon|vnd\.microsoft\.icon|vnd\.adobe\.photoshop|vnd\.ms-dds|x-portable-\w+)|model\/(?:gltf-binary|obj|stl|mtl)|x-shader\/x-(?:fragment|vertex)|message\/(?:rfc822|imdn))$/;

/**
 * Whether a body of this type is worth compressing: text, JSON, XML and their kin, scripts, WebAssembly. So are fonts and
 * images that are not compressed by themselves.
 *
 * @param type the value of `Content-Type`, parameters and all; undefined gives false
 * @example isCompressible('text/html; charset=utf-8'); // true
 * @example isCompressible('image/png'); // false
 */
export function isCompressible(type: string | undefined): boolean {
  if (type === undefined) return false;
  const semicolon = type.indexOf(';');
  const essence = (semicolon === -1 ? type : type.slice(0, semicolon)).trim().toLowerCase();
  return BY_KIND.test(essence) || BY_NAME.test(essence);
}
