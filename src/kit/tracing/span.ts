import { AsyncLocalStorage } from 'node:async_hooks'
import { LazaretError, messageOf } from '../errors.ts'
import { newSpanId, type SpanContext, traceparentOf } from './context.ts'

export type AttributeValue = string | number | boolean
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>
/** `server` answers others, `client` asks them, `consumer` does what a queue gave; all else is `internal`. */
export type SpanKind = 'internal' | 'server' | 'client' | 'consumer'

/** What took its time, from its begin to its end. Cheap, and silent, where its trace is not sampled. */
export interface Span {
  readonly context: SpanContext
  /** Values may be set again; those that are undefined are left out. */
  set(attributes: Attributes): void
  /** What went wrong, in words; a span that is told nothing went well. */
  fail(words: string): void
  /** Once; later calls do nothing. */
  end(): void
}

/** A span that has ended, as it goes out. Times in milliseconds since 1970, with their fraction. */
export interface EndedSpan {
  context: SpanContext
  parentSpanId: string | undefined
  name: string
  kind: SpanKind
  startMs: number
  endMs: number
  attributes: ReadonlyMap<string, AttributeValue>
  links: readonly SpanContext[]
  problem: string | undefined
}

export interface SpanStart {
  name: string
  kind?: SpanKind
  context: SpanContext
  parentSpanId?: string
  links?: readonly SpanContext[]
  attributes?: Attributes
  /** What performance.now() is short of the time since 1970: one for a whole trace, so that no clock that jumps turns it over. */
  offsetMs: number
}

export type OnEnded = (span: EndedSpan) => void

const mostAttributes = 32
const mostCharacters = 1024
const mostNameCharacters = 200

/** Made by the first tracer of this process: until then nothing below looks anywhere. */
let current: AsyncLocalStorage<LiveSpan> | undefined

export function enableSpans(): void {
  current ??= new AsyncLocalStorage()
}

/** The span under way. A timer that a request left behind still stands in that request's span, which has ended: that is none. */
function live(): LiveSpan | undefined {
  const span = current?.getStore()
  return span === undefined || span.ended ? undefined : span
}

/**
 * Runs `work` as a span of the trace under way. Outside of any trace, or in one that is not sampled, it is the call of `work` and
 * nothing else. Out, and errors: those of `work`; an error is noted on the span.
 */
export function traced<T>(name: string, work: (span?: Span) => Promise<T>, attributes?: Attributes, kind?: SpanKind): Promise<T> {
  const parent = live()
  if (parent === undefined || !parent.context.sampled) return work()
  const span = parent.child(name, attributes, kind)
  return within(span, () => settled(span, work))
}

/** Says something of the span under way, where there is one. */
export function annotate(attributes: Attributes): void {
  live()?.set(attributes)
}

/** Out: the place under way in its trace. */
export function spanContext(): SpanContext | undefined {
  return live()?.context
}

/** Out: what a request to another server carries so that its work is seen in this trace; nothing outside of a trace. */
export function traceHeaders(): Record<string, string> {
  const context = live()?.context
  if (context === undefined) return {}
  return { traceparent: traceparentOf(context), ...(context.state === undefined ? {} : { tracestate: context.state }) }
}

/** In: the fields of a log line. Out: the same, and in a trace its id. */
export function withTrace(fields: Record<string, unknown>): Record<string, unknown> {
  const context = live()?.context
  return context === undefined || 'traceId' in fields ? fields : { ...fields, traceId: context.traceId }
}

/** What `work` does, and what it awaits, happens within the span. */
export function within<T>(span: Span, work: () => T): T {
  return current === undefined || !(span instanceof LiveSpan) ? work() : current.run(span, work)
}

/** What `work` does belongs to no trace. */
export function outside<T>(work: () => T): T {
  return current === undefined ? work() : current.exit(work)
}

/** Runs `work` as the whole of a span, which ends with it. */
export async function settled<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await work(span)
  } catch (error) {
    span.set({ 'error.type': errorTypeOf(error) })
    span.fail(messageOf(error))
    throw error
  } finally {
    span.end()
  }
}

/** Our own code where there is one; else the system's, or the kind of error. */
export function errorTypeOf(error: unknown): string {
  if (error instanceof LazaretError) return error.code
  const { code } = (error ?? {}) as { code?: unknown }
  if (typeof code === 'string') return code
  return error instanceof Error ? error.name : 'unknown'
}

export class LiveSpan implements Span {
  readonly context: SpanContext
  readonly #start: SpanStart
  readonly #onEnded: OnEnded
  readonly #startedAt = performance.now()
  readonly #attributes = new Map<string, AttributeValue>()
  #problem: string | undefined
  #ended = false

  constructor(start: SpanStart, onEnded: OnEnded) {
    this.context = start.context
    this.#start = start
    this.#onEnded = onEnded
    if (start.attributes !== undefined) this.set(start.attributes)
  }

  get ended(): boolean {
    return this.#ended
  }

  child(name: string, attributes: Attributes | undefined, kind: SpanKind = 'internal'): LiveSpan {
    const context = { ...this.context, spanId: newSpanId() }
    const start = { name, kind, context, parentSpanId: this.context.spanId, offsetMs: this.#start.offsetMs }
    return new LiveSpan(attributes === undefined ? start : { ...start, attributes }, this.#onEnded)
  }

  set(attributes: Attributes): void {
    if (this.#ended || !this.context.sampled) return
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined || (this.#attributes.size >= mostAttributes && !this.#attributes.has(name))) continue
      this.#attributes.set(name, typeof value === 'string' ? value.slice(0, mostCharacters) : value)
    }
  }

  fail(words: string): void {
    this.#problem ??= words.slice(0, mostCharacters)
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    if (!this.context.sampled) return
    const { name, kind = 'internal', parentSpanId, links = [], offsetMs } = this.#start
    this.#onEnded({
      context: this.context,
      parentSpanId,
      name: name.slice(0, mostNameCharacters),
      kind,
      startMs: offsetMs + this.#startedAt,
      endMs: offsetMs + performance.now(),
      attributes: this.#attributes,
      links,
      problem: this.#problem,
    })
  }
}
