// The table: a row after the other, the scanners turn by turn within a row.
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { median } from '../registry/load.ts'
import { proveImage } from './image.ts'
import { floorOf, targetOf, type Row } from './rows.ts'
import type { Scan, Scanner } from './scanners.ts'

export interface Turns {
  scanners: readonly Scanner[]
  rounds: number
  /** Where caches lie. */
  folder: string
}

/** Prints as it goes. Out: whether every row could be measured. */
export async function printTable(rows: readonly Row[], turns: Turns): Promise<boolean> {
  const { scanners, rounds } = turns
  const date = new Date().toISOString().slice(0, 10)
  const load = loadavg()[0]?.toFixed(1) ?? '?'
  console.log(
    `${date}, ${cpus().length} × ${cpus()[0]?.model ?? '?'}, Node ${process.versions.node}, load ${load}, ${rounds} rounds: medians.`,
  )
  const absent = (['Trivy', 'Grype'] as const).filter((name) => scanners.every((one) => one.name !== name))
  if (absent.length > 0) console.log(`Not on this machine, so left out: ${absent.join(', ')}.`)
  console.log('Seconds, MiB at most, packages. Ratio: of Lazaret’s time to the other’s, round by round.\n')
  console.log(
    '| what | Lazaret | Trivy | Grype | zcat, sha256sum | to Trivy | to Grype | to zcat | to reach |\n|---|---|---|---|---|---|---|---|---|',
  )
  let whole = true
  for (const row of rows) whole = (await printRow(row, turns)) && whole
  return whole
}

async function printRow(row: Row, turns: Turns): Promise<boolean> {
  try {
    console.log(await measured(row, turns))
    return true
  } catch (error) {
    console.log(`| ${row.what} | failed: ${String(error).replaceAll(/\s+/g, ' ').replaceAll('|', '/').slice(0, 500)} | | | | | | | |`)
    return false
  }
}

async function measured(row: Row, { scanners, rounds, folder }: Turns): Promise<string> {
  const image = await row.image()
  const known = await row.known?.()
  await proveImage(image) // and the files are in the page cache for everyone
  const taking = scanners.filter(({ name }) => row.peers.includes(name))
  const seen = new Map<string, Scan[]>(taking.map(({ name }) => [name, []]))
  const floors: Awaited<ReturnType<typeof floorOf>>[] = []
  for (let round = 0; round < rounds; round++) {
    floors.push(await floorOf(image))
    for (const scanner of round % 2 === 0 ? taking : taking.toReversed()) {
      const cache = join(folder, `cache-${scanner.name}`)
      await scanner.freshCache(cache)
      if (known !== undefined) await scanner.scan(targetOf(row, known), cache)
      const scan = await scanner.scan(targetOf(row, image), cache)
      // How many a peer finds is part of the table; ours are a promise.
      if (scanner.name === 'Lazaret' && scan.packages < row.leastPackages)
        throw new Error(`Lazaret found ${scan.packages} packages of ${row.leastPackages}`)
      seen.get(scanner.name)?.push(scan)
    }
  }
  const [ours, trivy, grype] = ['Lazaret', 'Trivy', 'Grype'].map((name) => seen.get(name) ?? []) as [Scan[], Scan[], Scan[]]
  const zcat = floors.map(({ zcatMs }) => ({ ms: zcatMs }))
  const plain = image.layers.reduce((sum, { plainBytes }) => sum + plainBytes, 0)
  const sizes = `${megabytes(image.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))} of ${megabytes(plain)} MB`
  const floor = `${seconds(zcat)}, ${seconds(floors.map(({ hashMs }) => ({ ms: hashMs })))}`
  const ratios = [trivy, grype, zcat].map((theirs) => ratioOf(ours, theirs))
  return `| ${[`${row.what} (${sizes})`, shown(ours), shown(trivy), shown(grype), floor, ...ratios, row.target].join(' | ')} |`
}

function shown(scans: readonly Scan[]): string {
  if (scans.length === 0) return '–'
  const packages = [...new Set(scans.map((scan) => scan.packages.toLocaleString('en')))].join('/')
  return `${seconds(scans)} s, ${Math.round(median(scans.map(({ peakMiB }) => peakMiB)))} MiB, ${packages}`
}

function ratioOf(ours: readonly { ms: number }[], theirs: readonly { ms: number }[]): string {
  const ratios = ours.flatMap(({ ms }, at) => (theirs[at] === undefined ? [] : [ms / theirs[at].ms]))
  if (ratios.length === 0) return '–'
  const range = ratios.length === 1 ? '' : ` (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`
  return `${median(ratios).toFixed(2)}${range}`
}

function seconds(taken: readonly { ms: number }[]): string {
  return (median(taken.map(({ ms }) => ms)) / 1000).toFixed(2)
}

function megabytes(bytes: number): string {
  return Math.round(bytes / 1e6).toLocaleString('en')
}
