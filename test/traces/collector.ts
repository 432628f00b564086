// The OTLP receiver of the OpenTelemetry Collector (collector/main.go), and what it understood.

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, startDaemon } from '../support/daemon.ts'

export interface Collector {
  url: string
  /** Every span that the collector took in so far. */
  spans: () => ReceivedSpan[]
  /** Out: those that fit, as soon as there are so many; throws with what there is after 30 s. */
  until: (fits: (span: ReceivedSpan) => boolean, count?: number) => Promise<ReceivedSpan[]>
  /** All that it was sent, as it wrote it. */
  text: () => string
  stop: () => Promise<unknown>
}

export interface ReceivedSpan {
  traceId: string
  spanId: string
  parentSpanId: string
  traceState: string
  name: string
  kind: number
  startMs: number
  endMs: number
  attributes: Record<string, string | number | boolean>
  links: { traceId: string; spanId: string }[]
  status: { code?: number; message?: string }
  resource: Record<string, string | number | boolean>
  scope: string
}

interface KeyValue {
  key: string
  value: { stringValue?: string; intValue?: string; doubleValue?: number; boolValue?: boolean }
}
type WireSpan = Omit<ReceivedSpan, 'attributes' | 'links'> & {
  attributes?: KeyValue[]
  links?: ReceivedSpan['links']
  startTimeUnixNano: string
  endTimeUnixNano: string
}
interface Wire {
  resourceSpans: { resource: { attributes: KeyValue[] }; scopeSpans: { scope: { name: string }; spans: WireSpan[] }[] }[]
}

const patienceMs = 30_000

export async function startCollector(stack: AsyncDisposableStack, port?: number): Promise<Collector> {
  const bound = port ?? (await freePort())
  const daemon = await startDaemon(stack, {
    command: 'otlp-receiver',
    args: [`127.0.0.1:${bound}`],
    ready: () => answers(bound),
  })
  const spans = () =>
    daemon
      .log()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .flatMap((line) => spansIn(JSON.parse(line) as Wire))
  return {
    url: `http://127.0.0.1:${bound}`,
    spans,
    text: daemon.log,
    stop: daemon.stop,
    async until(fits, count = 1) {
      for (const end = Date.now() + patienceMs; ; await sleep(50)) {
        const found = spans().filter(fits)
        if (found.length >= count) return found
        if (Date.now() > end)
          throw new Error(
            `${found.length} of ${count} spans came: ${spans()
              .map(({ name }) => name)
              .join(', ')}`,
          )
      }
    },
  }
}

function spansIn({ resourceSpans }: Wire): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        ...span,
        parentSpanId: span.parentSpanId ?? '',
        attributes: valuesOf(span.attributes ?? []),
        links: span.links ?? [],
        startMs: Number(BigInt(span.startTimeUnixNano) / 1000n) / 1000,
        endMs: Number(BigInt(span.endTimeUnixNano) / 1000n) / 1000,
        resource: valuesOf(resource.attributes),
        scope: scope.name,
      })),
    ),
  )
}

function valuesOf(pairs: KeyValue[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    pairs.map(({ key, value }) => [
      key,
      value.stringValue ?? value.boolValue ?? value.doubleValue ?? (value.intValue === undefined ? '' : Number(value.intValue)),
    ]),
  )
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
