// `Set-Cookie` headers as the cookie objects of Azure Functions. Its conversion keeps one header of a name, so several
// cookies have to go another way; and it writes their values percent-encoded. (RFC 6265 §5.2)

/** A cookie as `HttpResponseInit.cookies` of `@azure/functions` takes it. */
export interface AzureCookie {
  /** The name. */
  name: string;
  /** The value, before Azure's percent-encoding. */
  value: string;
  /** The hosts that get the cookie. */
  domain?: string;
  /** The path below which they get it. */
  path?: string;
  /** When it ends, if not with the session. */
  expires?: Date | number;
  /** Whether it is sent over TLS only. */
  secure?: boolean;
  /** Whether scripts may not read it. */
  httpOnly?: boolean;
  /** Whether other sites' requests carry it. */
  sameSite?: 'Strict' | 'Lax' | 'None';
  /** For how many seconds it holds. */
  maxAge?: number;
}

/** Attributes that a cookie object can hold, by their names in lower case. */
const ATTRIBUTES: Record<string, (cookie: AzureCookie, value: string) => boolean> = {
  domain: (cookie, value) => {
    cookie.domain = value;
    return true;
  },
  path: (cookie, value) => {
    cookie.path = value;
    return true;
  },
  expires: (cookie, value) => {
    const date = new Date(value);
    if (Number.isNaN(date.getTime())) return false;
    cookie.expires = date;
    return true;
  },
  'max-age': (cookie, value) => {
    if (!/^-?[0-9]+$/.test(value)) return false;
    cookie.maxAge = Number(value);
    return true;
  },
  secure: (cookie) => {
    cookie.secure = true;
    return true;
  },
  httponly: (cookie) => {
    cookie.httpOnly = true;
    return true;
  },
  samesite: (cookie, value) => {
    const found = (['Strict', 'Lax', 'None'] as const).find((each) => each.toLowerCase() === value.toLowerCase());
    if (found === undefined) return false;
    cookie.sameSite = found;
    return true;
  },
};

/**
 * A `Set-Cookie` header as a cookie object, and what of it no such object can say.
 *
 * @param header the value of the header
 */
export function azureCookie(header: string): { cookie: AzureCookie; lost: string[] } {
  const [pair = '', ...attributes] = header.split(';');
  const equals = pair.indexOf('=');
  const sent = pair.slice(equals + 1).trim();
  const value = decoded(sent);
  const cookie: AzureCookie = { name: pair.slice(0, Math.max(equals, 0)).trim(), value };
  const lost = encodeURIComponent(value) === sent ? [] : ['the spelling of its value'];
  for (const attribute of attributes) {
    const mark = attribute.indexOf('=');
    const name = (mark === -1 ? attribute : attribute.slice(0, mark)).trim();
    if (name === '') continue;
    const set = Object.hasOwn(ATTRIBUTES, name.toLowerCase()) ? ATTRIBUTES[name.toLowerCase()] : undefined;
    const isSet = set?.(cookie, mark === -1 ? '' : attribute.slice(mark + 1).trim()) === true;
    if (!isSet) lost.push(name);
  }
  return { cookie, lost };
}

/** Azure encodes a value when it writes the header: what is encoded already must not be so twice. */
function decoded(value: string): string {
  try {
    const plain = decodeURIComponent(value);
    return encodeURIComponent(plain) === value ? plain : value;
  } catch {
    return value;
  }
}
