// Where a client seems to be, under one key and in one shape for every platform whose edge looks addresses up.

import type { Environ } from './types.ts';

/**
 * `waygate.geo`: where the platform thinks the client is, by its address. It is a guess, never proof. Texts are Unicode, not
 * native strings; what the platform does not know is absent.
 */
export interface Geo {
  /** The country, as two letters of ISO 3166-1: `DE`. */
  readonly country?: string;
  /** The state or province, as the platform spells it; mostly the second part of its ISO 3166-2 code: `BY`. */
  readonly region?: string;
  /** The city: `München`. */
  readonly city?: string;
  /** The postal code. */
  readonly postalCode?: string;
  /** The latitude, in degrees. */
  readonly latitude?: number;
  /** The longitude, in degrees. */
  readonly longitude?: number;
  /** The time zone, as the IANA database names it: `Europe/Berlin`. */
  readonly timezone?: string;
}

/** What a platform says, in its own types: numbers are text in headers. */
export type GeoSource = { readonly [Key in keyof Geo]?: string | number | null };

/**
 * Sets `waygate.geo` of what a platform says, and leaves it absent where that is nothing.
 *
 * @param source empty texts count as unknown, and so do latitudes and longitudes that are not numbers
 * @example
 * addGeo(environ, { country: environ.HTTP_X_COUNTRY });
 */
export function addGeo(environ: Environ, source: GeoSource): void {
  const geo: Record<string, unknown> = {};
  let isKnown = false;
  for (const key of GEO_KEYS) {
    const said = source[key];
    if (said === undefined || said === null || said === '') continue;
    const isNumber = key === 'latitude' || key === 'longitude';
    const value = isNumber ? Number(said) : String(said);
    if (isNumber && !Number.isFinite(value)) continue;
    geo[key] = value;
    isKnown = true;
  }
  if (isKnown) environ['waygate.geo'] = geo as Geo;
}

const GEO_KEYS: readonly (keyof Geo)[] = Object.freeze([
  'country',
  'region',
  'city',
  'postalCode',
  'latitude',
  'longitude',
  'timezone',
]);
