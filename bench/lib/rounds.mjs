// Measures contestants in turns, so that whatever else the machine does falls on all of them.

/**
 * @template Contestant
 * @param {Contestant[]} contestants
 * @param {number} rounds
 * @param {(contestant: Contestant) => Promise<number[]>} measure one measurement: a number for each column
 * @returns {Promise<number[][][]>} for each contestant, for each column, what each round measured
 */
export async function inTurns(contestants, rounds, measure) {
  const results = contestants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another one: none is always the first after a pause.
    for (let turn = 0; turn < contestants.length; turn++) {
      const index = (round + turn) % contestants.length;
      results[index].push(await measure(contestants[index]));
    }
  }
  return results.map((measured) => measured[0].map((_, column) => measured.map((values) => values[column])));
}
