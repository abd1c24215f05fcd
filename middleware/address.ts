// Addresses and host names in the spelling that is the only one for them. The parser is the platform's own, the URL
// standard's: every runtime has it, and it is held to one test suite everywhere. (WHATWG URL, "host parsing")

/** The longest IPv6 address that can be written: eight groups, the last two as IPv4. */
const LONGEST_ADDRESS = 45;

/**
 * Whether a text is an IPv4 address as `inet_ntop` writes it: `192.0.2.1`. Other spellings of one, such as `01.02.03.04` and
 * `0x7f.1`, mean another address to every second program.
 */
export function isIPv4(text: string): boolean {
  return /^[0-9.]{7,15}$/.test(text) && hostOf(text) === text;
}

/** Whether a text is an IPv6 address, without brackets and zone: `2001:db8::1`, `::ffff:192.0.2.1`. */
export function isIPv6(text: string): boolean {
  return text.length <= LONGEST_ADDRESS && /^[0-9A-Fa-f:.]+$/.test(text) && hostOf(`[${text}]`) !== null;
}

/** Whether a text is what may stand in a `Host` header ahead of the port: a name, an IPv4 address, an IPv6 one in brackets. */
export function isHost(text: string): boolean {
  if (text.startsWith('[')) return text.endsWith(']') && isIPv6(text.slice(1, -1));
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text) && !/[_-]$/.test(text) && hostOf(text) === text.toLowerCase();
}

/** A host as the URL standard writes it; null where it is none. */
function hostOf(text: string): string | null {
  try {
    return new URL(`http://${text}/`).hostname;
  } catch {
    return null;
  }
}
