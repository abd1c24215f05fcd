// Paths of requests as paths of files. Whatever is not plainly a path below the root is refused.

import { decodeWsgi } from '../core/strings.ts';

/** Backslashes separate names on Windows and in some clients; control characters end them here and there. */
const NEVER = /[\x00-\x1f\x7f\\\ufffd]/;

/**
 * The path of a file as text; null for a path that names none. Such a path has empty, `.` or `..` segments, backslashes,
 * control characters, or bytes that are not UTF-8. It was decoded once, by the gateway, and is not decoded again: `%252e`
 * is a name with a percent sign in it.
 *
 * @param pathInfo `PATH_INFO`
 * @param dotfiles whether a name may begin with a dot
 * @returns a path that begins with `/`, or is empty where `PATH_INFO` is; a slash at the end stays
 */
export function filePath(pathInfo: string, dotfiles: (name: string) => boolean): string | null {
  if (pathInfo === '') return '';
  const path = decodeWsgi(pathInfo);
  if (path.charCodeAt(0) !== 0x2f /* / */ || NEVER.test(path)) return null;
  const names = path.slice(1).split('/');
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as string;
    if (name === '' && index < names.length - 1) return null;
    if (name === '.' || name === '..') return null;
    if (name.charCodeAt(0) === 0x2e /* . */ && !dotfiles(name)) return null;
  }
  return path;
}
