import { setTimeout as pause } from 'node:timers/promises'
import { LazaretError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Outgoing } from '../outgoing/outgoing.ts'
import { exportRequest, type Origin } from './otlp.ts'
import type { EndedSpan } from './span.ts'

/** Sends spans that have ended, in batches, beside everything else: nothing waits for it, and what it can't send is counted. */
export interface Exporter {
  take(span: EndedSpan): void
  figures(): TraceFigures
  /** Sends what is left, for as long as `closeMs`; what is still here then is dropped. */
  close(): Promise<void>
}

/** Of this process, since its start. */
export interface TraceFigures {
  exported: number
  /** `queue`: they came faster than they went; `failed`: nobody took them; `refused`: the collector does not want them. */
  dropped: Readonly<Record<DropReason, number>>
}
export type DropReason = 'queue' | 'failed' | 'refused'

export interface ExporterParts {
  url: string
  headers: ReadonlyMap<string, string>
  origin: Origin
  log: Log
  outgoing: Outgoing
}

const mostQueued = 4096
const mostInBatch = 512
const everyMs = 1000
const attemptMs = 10_000
const closeMs = 3000
const mostAttempts = 4
const firstWaitMs = 1000
const mostWaitMs = 30_000
const mostAnswerBytes = 64 * 1024
const sayEveryMs = 60_000
/** OTLP Specification, "Retryable Response Codes". */
const worthAgain: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** What one attempt came to. */
type Outcome =
  | { taken: number; refused: number; words?: string }
  | { again: true; words: string; waitMs?: number }
  | { again: false; words: string }

export function createExporter(parts: ExporterParts): Exporter {
  const queue: EndedSpan[] = []
  const dropped: Record<DropReason, number> = { queue: 0, failed: 0, refused: 0 }
  const closing = new AbortController()
  const ended = new AbortController()
  const complain = createComplaint(parts.log, parts.url)
  let exported = 0
  let timer: NodeJS.Timeout | undefined
  let draining: Promise<void> | undefined

  function take(span: EndedSpan): void {
    if (ended.signal.aborted || queue.length >= mostQueued) {
      drop('queue', 1, 'spans come faster than they go out')
      return
    }
    queue.push(span)
    if (queue.length >= mostInBatch) drainSoon(0)
    else drainSoon(everyMs)
  }

  function drainSoon(ms: number): void {
    if (draining !== undefined || (timer !== undefined && ms > 0)) return
    clearTimeout(timer)
    timer = setTimeout(begin, ms)
    timer.unref()
  }

  function begin(): void {
    clearTimeout(timer)
    timer = undefined
    draining ??= drain().finally(() => {
      draining = undefined
      if (queue.length > 0 && !closing.signal.aborted) drainSoon(everyMs)
    })
  }

  async function drain(): Promise<void> {
    do await sendBatch(queue.splice(0, mostInBatch))
    while (queue.length >= mostInBatch || (closing.signal.aborted && queue.length > 0 && !ended.signal.aborted))
  }

  async function sendBatch(batch: EndedSpan[]): Promise<void> {
    if (batch.length === 0) return
    const body = exportRequest(parts.origin, batch)
    for (let attempt = 1; ; attempt++) {
      const outcome = await post(parts, body, ended.signal)
      if ('taken' in outcome) {
        const refused = Math.min(outcome.refused, batch.length)
        exported += batch.length - refused
        drop('refused', refused, outcome.words ?? 'the collector refused some')
        return
      }
      if (!outcome.again) return drop('refused', batch.length, outcome.words)
      if (attempt === mostAttempts || closing.signal.aborted) return drop('failed', batch.length, outcome.words)
      await waited(Math.min(outcome.waitMs ?? firstWaitMs * 2 ** (attempt - 1), mostWaitMs), closing.signal)
    }
  }

  function drop(reason: DropReason, count: number, words: string): void {
    if (count === 0) return
    dropped[reason] += count
    complain(count, words)
  }

  return {
    take,
    figures: () => ({ exported, dropped: { ...dropped } }),
    async close() {
      closing.abort()
      const late = setTimeout(() => ended.abort(), closeMs)
      await draining
      begin()
      await draining
      clearTimeout(late)
      ended.abort()
      drop('failed', queue.splice(0).length, 'the server stops')
    },
  }
}

/** One line a minute at the most, with what was lost since the one before. */
function createComplaint(log: Log, url: string): (count: number, words: string) => void {
  let saidAt = Number.NEGATIVE_INFINITY
  let lost = 0
  return (count, words) => {
    lost += count
    if (performance.now() - saidAt < sayEveryMs) return
    saidAt = performance.now()
    log.warn({ spans: lost, collector: url, problem: words }, 'traces are lost')
    lost = 0
  }
}

async function post({ url, headers, outgoing }: ExporterParts, body: string, ended: AbortSignal): Promise<Outcome> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(attemptMs)])
  try {
    const answer = await outgoing.fetch(new URL(url), {
      method: 'POST',
      headers: { ...Object.fromEntries(headers), 'content-type': 'application/json' },
      body,
      signal,
      connectMs: attemptMs,
    })
    const text = await boundedText(answer)
    if (answer.ok) return partial(text)
    const words = `the collector answers ${answer.status}`
    if (!worthAgain.has(answer.status)) return { again: false, words }
    const seconds = Number(answer.headers.get('retry-after') ?? Number.NaN)
    return { again: true, words, ...(seconds >= 0 ? { waitMs: seconds * 1000 } : {}) }
  } catch (error) {
    if (error instanceof LazaretError && error.code !== 'UNAVAILABLE') return { again: false, words: error.message }
    return { again: true, words: `the collector does not answer: ${messageOf(error)}` }
  }
}

/** OTLP Specification, "Partial Success". An answer that is none says nothing against what was sent. */
function partial(text: string): Outcome {
  let answer: { partialSuccess?: { rejectedSpans?: unknown; errorMessage?: unknown } | null } | null
  try {
    answer = JSON.parse(text === '' ? '{}' : text) as typeof answer
  } catch (error) {
    if (error instanceof SyntaxError) return { taken: 1, refused: 0 }
    throw error
  }
  const { rejectedSpans, errorMessage } = answer?.partialSuccess ?? {}
  const refused = Number(rejectedSpans ?? 0)
  return {
    taken: 1,
    refused: Number.isSafeInteger(refused) && refused > 0 ? refused : 0,
    ...(typeof errorMessage === 'string' && errorMessage !== '' ? { words: errorMessage.slice(0, 300) } : {}),
  }
}

async function boundedText(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > mostAnswerBytes) throw new LazaretError('LIMIT_EXCEEDED', `the collector's answer has more than ${mostAnswerBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function waited(ms: number, until: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, { signal: until, ref: false })
  } catch (error) {
    if (!until.aborted) throw error
  }
}
