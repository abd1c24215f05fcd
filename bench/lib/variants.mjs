// Which contestants there are of Waygate itself: this build, and with `--before=FOLDER` that of another checkout.

/**
 * Adds to each contestant of Waygate's, which has `waygate: true`, one that runs the build of another checkout.
 *
 * @template {{ name: string, waygate?: boolean, env?: Record<string, string> }} Contestant
 * @param {Contestant[]} contestants
 * @param {{ before?: string }} options
 * @returns {Contestant[]}
 */
export function withBefore(contestants, { before }) {
  if (before === undefined) return contestants;
  return contestants.flatMap((each) =>
    each.waygate === true
      ? [each, { ...each, name: `${each.name}, before`, env: { ...each.env, WAYGATE_ROOT: before } }]
      : [each],
  );
}
