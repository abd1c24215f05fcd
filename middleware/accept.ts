// Which of a few media types a client likes best. (RFC 9110 §12.5.1)

/**
 * @param accept the header `Accept`; undefined where there is none
 * @param types what there is, the one for clients that do not care first
 * @returns one of the types: the first where the client takes none of them
 */
export function preferredType<T extends string>(accept: string | undefined, types: readonly [T, ...T[]]): T {
  let [best, bestWeight] = [types[0], 0];
  if (accept === undefined) return best;
  const ranges = accept.slice(0, 4096).split(',').map(parse);
  for (const type of types) {
    // The most specific range that matches gives the weight.
    let [weight, precision] = [0, 0];
    for (const range of ranges) {
      const matched = match(range.name, type);
      if (matched > precision) [weight, precision] = [range.weight, matched];
    }
    if (weight > bestWeight) [best, bestWeight] = [type, weight];
  }
  return best;
}

function match(range: string, type: string): number {
  if (range === type) return 3;
  if (range === `${type.slice(0, type.indexOf('/'))}/*`) return 2;
  return range === '*/*' ? 1 : 0;
}

function parse(range: string): { name: string; weight: number } {
  const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = given === undefined ? 1 : Number(given.slice(2));
  return { name, weight: weight >= 0 && weight <= 1 ? weight : 0 };
}
