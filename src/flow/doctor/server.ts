import { LazaretError, messageOf } from '../../kit/errors.ts'
import type { Outgoing } from '../../kit/outgoing/outgoing.ts'
import type { Settings } from '../../kit/settings/settings.ts'
import { liveHolder } from '../hold.ts'
import { askReadiness } from '../readiness.ts'
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

interface Given {
  settings: Pick<Settings, 'data' | 'listen' | 'tls'>
  /** The server that commands ask, where one is named. */
  named: string | undefined
  /** Of this command. */
  version: string
  now: () => number
  outgoing: Outgoing
}

/** Out: how the server of the data folder stands, else the one that is named, part by part. */
export async function lookAtServer(given: Given): Promise<ServerLook> {
  const holder = liveHolder(given.settings.data)
  if (holder !== undefined && holder.command !== 'serve')
    return { found: [note(check, `none: lazaret ${holder.command} (process ${holder.pid}) has the data folder open`)] }
  const address = holder?.address ?? given.named
  const pid = holder === undefined ? {} : { pid: holder.pid }
  if (address === undefined)
    return { found: [note(check, holder === undefined ? 'none runs on this data folder' : 'one is starting')], ...pid }
  return { found: await ask(address, given, holder !== undefined), ...pid }
}

interface Ready {
  status?: unknown
  version?: unknown
  parts?: unknown
}

async function ask(address: string, given: Given, isHere: boolean): Promise<Diagnosis[]> {
  try {
    const answer = await given.outgoing.fetch(new URL('/health/ready', address), { signal: AbortSignal.timeout(mostMs) })
    const text = await bounded(answer)
    return [...standing(address, JSON.parse(text) as Ready, given.version), ...clocksApart(answer.headers.get('date'), given.now())]
  } catch (error) {
    const isStrange = error instanceof SyntaxError
    const why = isStrange ? 'what answers is not Lazaret' : messageOf(error)
    const here = isHere && !isStrange ? await askWhereItListens(address, why, given) : undefined
    if (here !== undefined) return here
    return [
      wrong(check, `${address} does not answer as it should (${why})`, 'see its log; where the address is another, set LAZARET_SERVER'),
    ]
  }
}

/** The name that clients use may lead nowhere from inside a container. Out: undefined where it does not answer to this machine either. */
async function askWhereItListens(address: string, why: string, { settings, version }: Given): Promise<Diagnosis[] | undefined> {
  try {
    const ready = await askReadiness(settings, mostMs)
    return [note(check, `${address} can't be reached from here (${why})`), ...standing('what listens here', ready, version)]
  } catch (error) {
    if (error instanceof LazaretError) return undefined
    throw error
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
