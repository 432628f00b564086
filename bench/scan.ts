// `lazaret scan IMAGE.tar --format json` beside Trivy and Grype in one run, turn by turn: wall time, and peak memory as VmHWM, which is
// looked at every 20 ms and added up over the processes of a scan. Images are gzip layers in an archive, in the page cache; what a
// scanner keeps between scans is emptied before each, save for the rows that say otherwise.
// Who does what: Lazaret makes the inventory and matches it with the bundled advisories, which lie unpacked in its cache. The others get
// no database, so their figures are of the inventory alone, and in their favour: Trivy writes CycloneDX, for which it wants none; Grype
// makes its inventory whole, says that there is no database and ends with 1. Both are taken where they are found, on the PATH or in
// the tools folder, and left out by name where not: docs/comparison.md says how each is built.
// Needs debootstrap and a Debian mirror the first time, gzip, tar, sha256sum, and 6 GB of disk in FOLDER, where the images are kept.
// Run: sh bin/run bench/scan.ts FOLDER [--rounds N] [WORD…], the words picking rows
import { mkdirSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { rowsIn, servedImage } from './scan/rows.ts'
import { scannersIn } from './scan/scanners.ts'
import { servedRow, servedWords } from './scan/served.ts'
import { printTable } from './scan/table.ts'
import { removeAtEnd } from './server.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string', default: '3' } } })
const [images, ...words] = positionals
if (images === undefined) throw new Error('usage: bench/scan.ts FOLDER [--rounds N] [WORD…]')
if (!/^[1-9]\d{0,2}$/.test(values.rounds)) throw new Error(`${values.rounds} is no number of rounds`)

const kept = resolve(images)
mkdirSync(kept, { recursive: true })
const folder = await mkdtemp(join(kept, 'run-'))
removeAtEnd(folder)
const rows = rowsIn(kept).filter(({ what }) => words.length === 0 || words.some((word) => what.includes(word)))
const asksServer = words.length === 0 || words.some((word) => servedWords.includes(word))
if (rows.length === 0 && !asksServer)
  throw new Error(
    `no row has ${words.join(' or ')} in its name: ${rowsIn(kept)
      .map(({ what }) => what)
      .join('; ')}`,
  )
const scanners = await scannersIn(folder)
if (!(await printTable(rows, { scanners, rounds: Number(values.rounds), folder }))) process.exitCode = 1
if (asksServer) console.log(await servedRow('Debian', await servedImage(kept), join(folder, 'data')))
