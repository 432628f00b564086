// Lazaret beside CNCF Distribution and nginx in one run, turn by turn: Lazaret signed in and with the gate on, the others without either.
// Needs `registry` (go install github.com/distribution/distribution/v3/cmd/registry) in the tools folder, on the PATH or named by
// DISTRIBUTION_REGISTRY; curl, wrk and ab; nginx where there is one. Some 30 GB of disk.
// Run: sh bin/run bench/registry.ts [--rounds N] [--aged FOLDER] [--blobs N] [WORD…], the words picking rows, FOLDER as bench/age.ts made it
import { mkdirSync, readFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseArgs } from 'node:util'
import { largeRepository } from './age/year.ts'
import { closeClient } from './registry/client.ts'
import { layerFile } from './registry/files.ts'
import { copyAged, startPeers, type AgedNames } from './registry/peers.ts'
import { rowsOf } from './registry/rows.ts'
import { printTable } from './registry/table.ts'
import { removeAtEnd } from './server.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    aged: { type: 'string' },
    blobs: { type: 'string', default: '20000' },
  },
})

// Beside the aged store, so that the copy can share its files.
const folder = await mkdtemp(values.aged === undefined ? join(tmpdir(), 'lazaret-bench-') : `${resolve(values.aged)}-bench-`)
removeAtEnd(folder)
try {
  const aged = values.aged === undefined ? undefined : await copyOf(resolve(values.aged))
  const files = join(folder, 'files')
  mkdirSync(files)
  const [big, huge, ...middle] = await layerFiles(files)
  if (big === undefined || huge === undefined) throw new Error('there are no files to push')
  const rows = rowsOf({ folder, big, huge, middle, aged: aged?.names, blobs: count(values.blobs), run: Date.now().toString(36) })
  const picked = rows.filter(({ what }) => positionals.length === 0 || positionals.some((word) => what.includes(word)))
  const peers = await startPeers(folder, files, aged)
  try {
    if (!(await printTable(picked, peers, count(values.rounds)))) process.exitCode = 1
  } finally {
    await peers.stop()
  }
} finally {
  closeClient()
}

async function copyOf(store: string): Promise<{ data: string; names: AgedNames }> {
  readFileSync(join(store, 'age.json')) // throws where bench/age.ts has not finished it
  const data = join(folder, 'lazaret')
  await copyAged(store, data)
  return { data, names: namesIn(data) }
}

function namesIn(data: string): AgedNames {
  const records = new DatabaseSync(join(data, 'records.sqlite'), { readOnly: true })
  try {
    const names = (query: string, ...parameters: string[]) =>
      (records.prepare(query).all(...parameters) as { name: string }[]).map(({ name }) => name)
    return {
      large: largeRepository,
      tags: names('select t.name from tags t join repositories r on r.id = t.repository_id where r.name = ? order by 1', largeRepository),
      repositories: names('select name from repositories order by 1'),
    }
  } finally {
    records.close()
  }
}

async function layerFiles(files: string) {
  const sizes: [string, number][] = [
    ['big', 512],
    ['huge', 1536],
    ...Array.from({ length: 8 }, (_, at): [string, number] => [`middle-${at}`, 128]),
  ]
  const made = []
  for (const [name, mebibytes] of sizes) made.push(await layerFile(files, name, mebibytes))
  return made
}

function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new Error(`${text} is not a count`)
  return Number(text)
}
