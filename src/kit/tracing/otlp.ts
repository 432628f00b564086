import type { SpanContext } from './context.ts'
import type { AttributeValue, EndedSpan, SpanKind } from './span.ts'

// OTLP 1.x, ExportTraceServiceRequest in its JSON form (opentelemetry.io, "OTLP Specification", "JSON Protobuf Encoding"): ids are hex, not
// base64; names are lowerCamelCase; enums are numbers; 64-bit integers are text.

const kinds: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3, consumer: 5 }
const statusError = 2
/** trace.proto, SpanFlags: the low eight bits are those of traceparent. */
const sampledFlag = 1

export interface Origin {
  /** Attributes of the resource: `service.name` and its like. */
  resource: ReadonlyMap<string, string>
  /** Of the instrumentation scope. */
  name: string
  version: string
}

/** In: who speaks, and spans that have ended. Out: the body of one export. */
export function exportRequest(origin: Origin, spans: readonly EndedSpan[]): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: keyValues(origin.resource) },
        scopeSpans: [{ scope: { name: origin.name, version: origin.version }, spans: spans.map(spanOf) }],
      },
    ],
  })
}

function spanOf({ context, parentSpanId, name, kind, startMs, endMs, attributes, links, problem }: EndedSpan) {
  return {
    ...idsOf(context),
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: kinds[kind],
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(endMs),
    attributes: keyValues(attributes),
    ...(links.length === 0 ? {} : { links: links.map(idsOf) }),
    status: problem === undefined ? {} : { code: statusError, message: problem.toWellFormed() },
  }
}

function idsOf({ traceId, spanId, sampled, state }: SpanContext) {
  return { traceId, spanId, ...(state === undefined ? {} : { traceState: state }), flags: sampled ? sampledFlag : 0 }
}

/** To the microsecond: a number holds no more of the time since 1970. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`
}

function keyValues(attributes: ReadonlyMap<string, AttributeValue>) {
  return Array.from(attributes, ([key, value]) => ({ key, value: anyValue(value) }))
}

/** A lone surrogate has no UTF-8. */
function anyValue(value: AttributeValue) {
  if (typeof value === 'string') return { stringValue: value.toWellFormed() }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}
