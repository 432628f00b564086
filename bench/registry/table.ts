// The table: a row after the other, the peers turn by turn within a row.
import { cpus } from 'node:os'
import { median, takeClientShare } from './load.ts'
import { settled } from './client.ts'
import type { Peer, Peers } from './peers.ts'

export interface Row {
  what: string
  unit: string
  /** Rows that take long are measured once. */
  once?: true
  /** Only files are asked for, so that nginx can be measured too. */
  files?: true
  /** Ours alone: the others have nothing of the kind. */
  ours?: true
  /** Out: the figure of a turn; undefined where this peer has none. */
  measure: (peer: Peer, round: number) => Promise<number | undefined>
}

/** What is pushed in a round before the first, whose figures nobody sees: who serves for months is warm. */
const warmUpName = 1000

/** Lines beneath the table, as they come up. */
const notes: string[] = []

export function note(text: string): void {
  if (!notes.includes(text)) notes.push(text)
}

/** Prints as it goes. Out: whether every row could be measured. */
export async function printTable(rows: readonly Row[], peers: Peers, rounds: number): Promise<boolean> {
  const date = new Date().toISOString().slice(0, 10)
  console.log(
    `${date}, ${cpus().length} × ${cpus()[0]?.model ?? '?'}, Node ${process.versions.node}, ${rounds} rounds after one that does not count, medians.`,
  )
  console.log('Ratio: of Lazaret to Distribution, round by round. Client: what the load burnt of a core, against Lazaret.\n')
  console.log('| what | Lazaret | Distribution | nginx | ratio | client |\n|---|---|---|---|---|---|')
  let whole = true
  for (const row of rows) whole = (await printRow(row, peers, row.once === true ? 1 : rounds)) && whole
  for (const text of notes) console.log(`\n${text}`)
  return whole
}

async function printRow(row: Row, { lazaret, distribution, nginx }: Peers, rounds: number): Promise<boolean> {
  const measured = [lazaret, ...(row.ours === true ? [] : [distribution]), ...(row.files === true && nginx !== undefined ? [nginx] : [])]
  const seen = new Map<Peer['name'], number[]>(measured.map(({ name }) => [name, []]))
  const shares: number[] = []
  try {
    for (let round = row.once === true ? 0 : -1; round < rounds; round++) {
      for (const peer of round % 2 === 0 ? measured : measured.toReversed()) {
        await settled(lazaret)
        const value = await row.measure(peer, round < 0 ? warmUpName : round)
        const share = takeClientShare()
        if (round < 0) continue
        if (value !== undefined) seen.get(peer.name)?.push(value)
        if (peer === lazaret && !Number.isNaN(share)) shares.push(share)
      }
    }
  } catch (error) {
    console.log(`| ${row.what}, ${row.unit} | failed: ${String(error).replaceAll(/\s+/g, ' ').slice(0, 500)} | | | | |`)
    return false
  }
  const [ours = [], theirs = [], files = []] = (['Lazaret', 'Distribution', 'nginx'] as const).map((name) => seen.get(name))
  const ratios = ours.flatMap((value, at) => (theirs[at] === undefined ? [] : [value / theirs[at]]))
  const ratio =
    ratios.length === 0 ? '–' : `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`
  console.log(
    `| ${row.what}, ${row.unit} | ${shown(ours)} | ${shown(theirs)} | ${shown(files)} | ${ratio} | ${shares.length === 0 ? '–' : median(shares).toFixed(2)} |`,
  )
  return true
}

function shown(values: readonly number[]): string {
  if (values.length === 0) return '–'
  const value = median(values)
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2)
}
