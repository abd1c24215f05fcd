// What each contestant is told about bytes, where it can be told: all but UTF-8 text is binary.

/**
 * @param {unknown} contentType the value of the header
 * @param {unknown} [encoding] of content-encoding
 */
export function isBinary(contentType, encoding) {
  const type = String(contentType ?? '');
  const isText = /^(?:text\/[^;]*(?:;\s*charset=utf-8)?|application\/json)$/i.test(type);
  return !isText || (encoding !== undefined && encoding !== null && encoding !== 'identity');
}
