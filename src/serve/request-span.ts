import type { IncomingMessage } from 'node:http'
import type { Span } from '../kit/tracing/span.ts'

const spanKey = Symbol('span')
type Traced = IncomingMessage & { [spanKey]?: Span }

export function keepSpan(message: IncomingMessage, span: Span): void {
  ;(message as Traced)[spanKey] = span
}

/** Out: the span of a request, where requests are traced. */
export function spanOf(message: IncomingMessage): Span | undefined {
  return (message as Traced)[spanKey]
}
