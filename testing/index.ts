// `waygate/testing`: the conformance suite, and what tests of applications and adapters are built from.

export { AssertionError } from './assert.ts';
export type { Ability, Capabilities } from './capabilities.ts';
export { type ConformanceOptions, conformance, type Describe, type It } from './conformance.ts';
export { testEnviron } from './environ.ts';
export {
  PROBE_HEADER,
  PROBE_PAUSE,
  type ProbeIncoming,
  type ProbeOutgoing,
  type ProbeRequest,
  type ProbeResponse,
  probeAnswer,
  probeFetch,
  probeListener,
} from './probe.ts';
export type { Serve, ServedApp } from './test-context.ts';
