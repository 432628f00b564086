import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Log } from '../log.ts'
import { createOutgoing } from '../outgoing/outgoing.ts'
import { parseHeaders, parseKeyValues } from '../settings/key-values.ts'
import type { Settings } from '../settings/settings.ts'
import { newSpanId, newTraceId, type SpanContext } from './context.ts'
import { createExporter, type TraceFigures } from './exporter.ts'
import { createSampler } from './sampler.ts'
import { type Attributes, enableSpans, LiveSpan, type Span, type SpanKind } from './span.ts'

/**
 * Traces of this process, by OpenTelemetry. Life cycle: opened once, before anything is traced; `close` sends what is left, and
 * takes a few seconds at the most.
 */
export interface Tracing {
  /** Begins a trace, or goes on with the one that `parent` is of. */
  begin(name: string, kind: SpanKind, from?: Origins): Span
  figures(): TraceFigures
  close(): Promise<void>
}

export interface Origins {
  parent?: SpanContext | undefined
  /** What caused it without waiting for it. Where there is no parent, the first of them says whether it is sampled. */
  links?: readonly SpanContext[]
  attributes?: Attributes
}

/** In: settings that name a collector, and the version that runs. */
export function createTracing(
  { tracing, network }: Pick<Settings, 'tracing' | 'network'>,
  url: string,
  version: string,
  log: Log,
): Tracing {
  enableSpans()
  const sample = createSampler(tracing.sampler, tracing.sampleRatio)
  const headers = parseHeaders(tracing.headers ?? '') ?? new Map<string, string>()
  const origin = { resource: resourceOf(tracing, version), name: 'lazaret', version }
  const exporter = createExporter({ url, headers, origin, log, outgoing: createOutgoing({ network }, process.env) })

  return {
    begin(name, kind, { parent, links = [], attributes = {} } = {}) {
      const traceId = parent?.traceId ?? newTraceId()
      const context = { traceId, spanId: newSpanId(), sampled: sample(traceId, parent ?? links[0]), state: parent?.state }
      const start = { name, kind, context, links, attributes, offsetMs: Date.now() - performance.now() }
      return new LiveSpan(parent === undefined ? start : { ...start, parentSpanId: parent.spanId }, exporter.take)
    },
    figures: exporter.figures,
    close: exporter.close,
  }
}

/** OpenTelemetry semantic conventions, "Resource": who speaks. */
function resourceOf({ serviceName, resourceAttributes }: Settings['tracing'], version: string): Map<string, string> {
  return new Map([
    ['service.name', 'lazaret'],
    ['service.version', version],
    ['service.instance.id', randomUUID()],
    ['host.name', hostname()],
    ...(parseKeyValues(resourceAttributes ?? '') ?? []),
    ...(serviceName === undefined ? [] : [['service.name', serviceName] as const]),
  ])
}
