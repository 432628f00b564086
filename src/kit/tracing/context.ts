import { randomFillSync } from 'node:crypto'

// W3C Trace Context, Level 1 (w3.org/TR/trace-context-1):
//   traceparent: 00-<trace id, 32 hex>-<span id, 16 hex>-<flags, 2 hex>

/** A place in a trace, as it travels between programs. */
export interface SpanContext {
  /** 32 hex digits, not all zero. */
  traceId: string
  /** 16 hex digits, not all zero. */
  spanId: string
  sampled: boolean
  /** What other programs on the way said of themselves: handed on as it came. */
  state: string | undefined
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
const noTrace = '0'.repeat(32)
const noSpan = '0'.repeat(16)
const version00Characters = 55
const mostTraceparentCharacters = 512
const mostStateCharacters = 512
const sampledFlag = 1

/**
 * In: the headers `traceparent` and `tracestate` of a request. Out: where it comes from, or undefined where it does not say so, or not
 * by the specification ("Processing Model"): then a new trace begins. Of a version above 00 the parts that 00 has are read.
 */
export function parseTraceparent(given: unknown, state: unknown): SpanContext | undefined {
  if (typeof given !== 'string' || given.length > mostTraceparentCharacters) return undefined
  const [, version, traceId = '', spanId = '', flags = ''] = form.exec(given) ?? []
  if (version === undefined || version === 'ff' || traceId === noTrace || spanId === noSpan) return undefined
  if (version === '00' && given.length !== version00Characters) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & sampledFlag) !== 0, state: knownState(state) }
}

export function traceparentOf({ traceId, spanId, sampled }: SpanContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}

/** What is too long, or no text of a header, is left out whole: half of a list would be another list. */
function knownState(given: unknown): string | undefined {
  return typeof given === 'string' && given.length <= mostStateCharacters && /^[\x20-\x7e\t]+$/.test(given) ? given : undefined
}

export function newTraceId(): string {
  return randomHex(16, noTrace)
}

export function newSpanId(): string {
  return randomHex(8, noSpan)
}

const pool = Buffer.alloc(16 * 1024)
let used = pool.length

function randomHex(bytes: number, none: string): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  const text = pool.toString('hex', used - bytes, used)
  return text === none ? randomHex(bytes, none) : text
}
