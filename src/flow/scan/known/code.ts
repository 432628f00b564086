import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const source = join(import.meta.dirname, '../../..')
/** What the inventory of an image is made by. */
const makers = ['inventory', 'model', 'kit/streams']
/** What judges it, besides: readers of advisories, not what imports them. */
const judges = ['match', 'versions', 'advisories', 'flow/evidence.ts', 'flow/known-artifacts.ts']
const isNoJudge = /^sources\//

/**
 * Out: a hash over the code that makes an inventory. A version to be raised by hand would be forgotten some day, and an old
 * inventory shown; and it takes loading all that code to add up the versions of its parts.
 */
export function inventoryCode(): string {
  return hashOfFiles([...makers.flatMap(sourcesIn), '../package.json'])
}

/** The same over the code that makes findings of one. */
export function judgingCode(): string {
  return hashOfFiles(judges.flatMap(sourcesIn))
}

function sourcesIn(place: string): string[] {
  if (place.endsWith('.ts')) return [place]
  const names = readdirSync(join(source, place), { recursive: true, encoding: 'utf8' }).toSorted()
  return names
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !isNoJudge.test(name))
    .map((name) => `${place}/${name}`)
}

function hashOfFiles(files: readonly string[]): string {
  const hash = createHash('sha256').update(process.versions.node)
  for (const file of files) hash.update(`\n${file}\n`).update(readFileSync(join(source, file)))
  return hash.digest('hex')
}
