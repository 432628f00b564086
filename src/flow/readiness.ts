import { request as plainRequest, type IncomingMessage } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { LazaretError, messageOf } from '../kit/errors.ts'
import { isWildcard, showAddress } from '../kit/settings/network.ts'
import type { Settings } from '../kit/settings/settings.ts'

/** What a server says of itself at /health/ready. */
export interface Readiness {
  /** `ok`; `limited`: pulls go on, and pushes are refused; `failing`. */
  status: 'ok' | 'limited' | 'failing'
  version: string
  /** By part: its state, and why where it is not `ok`. */
  parts: Record<string, string>
}

const mostAnswerBytes = 65_536

/**
 * Asks the server that listens on this machine by these settings, whatever name clients use. Its certificate is not looked at:
 * it is for that name, and nothing secret is sent.
 * In: the settings and the time it may take. Out: how it stands. Throws UNAVAILABLE where none answers as Lazaret does.
 */
export async function askReadiness({ listen, tls }: Pick<Settings, 'listen' | 'tls'>, mostMs: number): Promise<Readiness> {
  const host = isWildcard(listen.host) ? '127.0.0.1' : listen.host
  const address = `${tls === undefined ? 'http' : 'https'}://${showAddress({ host, port: listen.port })}`
  try {
    return readinessIn(await textOf(new URL('/health/ready', address), AbortSignal.timeout(mostMs)))
  } catch (error) {
    const why = error instanceof SyntaxError ? 'what answers is not Lazaret' : reasonOf(error, mostMs)
    throw new LazaretError('UNAVAILABLE', `${address} does not answer as it should: ${why}`, { cause: error })
  }
}

function reasonOf(error: unknown, mostMs: number): string {
  const isLate = ['AbortError', 'TimeoutError'].includes((error as Error).name)
  return isLate ? `nothing came within ${mostMs / 1000} s` : messageOf(error)
}

function textOf(url: URL, signal: AbortSignal): Promise<string> {
  const send = url.protocol === 'https:' ? tlsRequest : plainRequest
  return new Promise((resolve, reject) => {
    const asked = send(url, { signal, agent: false, rejectUnauthorized: false }, (answer) => void bounded(answer).then(resolve, reject))
    asked.once('error', reject)
    asked.end()
  })
}

async function bounded(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes > mostAnswerBytes) throw new SyntaxError('too long an answer')
  }
  return Buffer.concat(chunks).toString('utf8')
}

function readinessIn(text: string): Readiness {
  const { status, version, parts } = (JSON.parse(text) ?? {}) as { status?: unknown; version?: unknown; parts?: unknown }
  const isStatus = status === 'ok' || status === 'limited' || status === 'failing'
  if (!isStatus || typeof parts !== 'object' || parts === null) throw new SyntaxError('not the answer of Lazaret')
  return {
    status,
    version: typeof version === 'string' ? version.slice(0, 40) : 'unknown',
    parts: Object.fromEntries(Object.entries(parts).map(([name, state]) => [name.slice(0, 40), String(state).slice(0, 500)])),
  }
}
