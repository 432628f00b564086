import type { SpanContext } from './context.ts'

/** The names that OTEL_TRACES_SAMPLER has for them. */
export const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const
export type SamplerName = (typeof samplers)[number]

/** In: the id of a trace that begins or goes on here, and where it comes from. Out: whether its spans go out. */
export type Sampler = (traceId: string, parent: Pick<SpanContext, 'sampled'> | undefined) => boolean

const parentBased = 'parentbased_'
/** Whole digits of the id's random end that a number holds exactly. */
const idDigits = 13

/** In: its name, and for a ratio 0 to 1. By OpenTelemetry's "Tracing SDK", "Built-in samplers". */
export function createSampler(name: SamplerName, ratio: number): Sampler {
  const root = rootSampler(name.startsWith(parentBased) ? name.slice(parentBased.length) : name, ratio)
  return name.startsWith(parentBased) ? (traceId, parent) => parent?.sampled ?? root(traceId) : (traceId) => root(traceId)
}

function rootSampler(name: string, ratio: number): (traceId: string) => boolean {
  if (name === 'always_off') return () => false
  if (name === 'always_on') return () => true
  return (traceId) => Number.parseInt(traceId.slice(-idDigits), 16) < ratio * 16 ** idDigits
}
