// Where a client seems to be, under one key and in one shape for every platform whose edge looks addresses up.

import type { Environ, Geo } from './types.ts';

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
