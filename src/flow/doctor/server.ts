import { messageOf } from '../../kit/errors.ts'
import type { Outgoing } from '../../kit/outgoing/outgoing.ts'
import { liveHolder } from '../hold.ts'
import { fine, note, warning, wrong, type Diagnosis } from './diagnosis.ts'

const check = 'server'
const mostMs = 10_000
const mostAnswerBytes = 65_536
const clocksApartMs = 30_000

export interface ServerLook {
  found: Diagnosis[]
  /** Of a server on this machine. */
  pid?: number
}

/** In: the data folder, the server that commands ask where one is named, and this version. Out: how the server stands, part by part. */
export async function lookAtServer(given: {
  data: string
  named: string | undefined
  version: string
  now: () => number
  outgoing: Outgoing
}): Promise<ServerLook> {
  const holder = liveHolder(given.data)
  if (holder !== undefined && holder.command !== 'serve')
    return { found: [note(check, `none: lazaret ${holder.command} (process ${holder.pid}) has the data folder open`)] }
  const address = holder?.address ?? given.named
  const pid = holder === undefined ? {} : { pid: holder.pid }
  if (address === undefined)
    return { found: [note(check, holder === undefined ? 'none runs on this data folder' : 'one is starting')], ...pid }
  return { found: await ask(address, given), ...pid }
}

interface Ready {
  status?: unknown
  version?: unknown
  parts?: unknown
}

async function ask(
  address: string,
  { version, now, outgoing }: { version: string; now: () => number; outgoing: Outgoing },
): Promise<Diagnosis[]> {
  try {
    const answer = await outgoing.fetch(new URL('/health/ready', address), { signal: AbortSignal.timeout(mostMs) })
    const text = await bounded(answer)
    return [...standing(address, JSON.parse(text) as Ready, version), ...clocksApart(answer.headers.get('date'), now())]
  } catch (error) {
    const why = error instanceof SyntaxError ? 'what answers is not Lazaret' : messageOf(error)
    return [
      wrong(check, `${address} does not answer as it should (${why})`, 'see its log; where the address is another, set LAZARET_SERVER'),
    ]
  }
}

async function bounded(answer: Response): Promise<string> {
  let text = ''
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString('latin1')
    if (text.length > mostAnswerBytes) throw new SyntaxError('too long an answer')
  }
  return text
}

function standing(address: string, ready: Ready | null, version: string): Diagnosis[] {
  const { status, parts } = ready ?? {}
  if (typeof status !== 'string' || typeof parts !== 'object' || parts === null) throw new SyntaxError('not the answer of Lazaret')
  const theirs = typeof ready?.version === 'string' ? ready.version.slice(0, 40) : 'unknown'
  const says = `${address} runs version ${theirs}`
  const own =
    theirs === version
      ? fine(check, says)
      : warning(check, `${says}, and this command is ${version}`, 'restart the server after an upgrade')
  const bad = Object.entries(parts as Record<string, unknown>).filter(([, state]) => state !== 'ok')
  return [own, ...bad.map(([part, state]) => partOf(part.slice(0, 40), String(state).slice(0, 500)))]
}

function partOf(part: string, state: string): Diagnosis {
  const remedy = 'see docs/operations.md, "Monitoring", and the log of the server'
  return state.startsWith('limited') ? warning(`server: ${part}`, state, remedy) : wrong(`server: ${part}`, state, remedy)
}

/** Certificates, tokens and leases end by the clock. RFC 9110 §6.6.1: to the second. */
function clocksApart(date: string | null, now: number): Diagnosis[] {
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs) || Math.abs(theirs - now) <= clocksApartMs) return []
  const seconds = Math.round(Math.abs(theirs - now) / 1000)
  return [wrong('clock', `the server's clock and this one are ${seconds} s apart`, 'set both right, by NTP')]
}
