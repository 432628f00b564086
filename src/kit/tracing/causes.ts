import type { SpanContext } from './context.ts'
import { spanContext } from './span.ts'

// Which request caused a job, remembered until this process takes the job up: not over a restart, and not by another node.

const mostRemembered = 10_000
const contexts = new Map<string, SpanContext>()

/** In: what the trace under way has asked for, before anybody can take it up. Outside of a trace it does nothing. */
export function noteCause(of: string): void {
  const context = spanContext()
  if (context === undefined) return
  contexts.delete(of)
  if (contexts.size >= mostRemembered) contexts.delete(contexts.keys().next().value ?? '')
  contexts.set(of, context)
}

/** In: what is taken up. Out: where it was asked for, once; none where that is not known. */
export function takeCauses(of: string): SpanContext[] {
  const context = contexts.get(of)
  contexts.delete(of)
  return context === undefined ? [] : [context]
}
