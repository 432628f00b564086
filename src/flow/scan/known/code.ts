import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const source = join(import.meta.dirname, '../../..')
/** What the inventory of an image is made by. */
const makers = ['inventory', 'model', 'kit/streams']

/**
 * Out: a hash over the code that makes an inventory. A version to be raised by hand would be forgotten some day, and an old
 * inventory shown; and it takes loading all that code to add up the versions of its parts.
 */
export function inventoryCode(): string {
  const hash = createHash('sha256').update(process.versions.node)
  for (const folder of makers)
    for (const name of readdirSync(join(source, folder), { recursive: true, encoding: 'utf8' }).toSorted())
      if (name.endsWith('.ts') && !name.endsWith('.test.ts'))
        hash.update(`\n${folder}/${name}\n`).update(readFileSync(join(source, folder, name)))
  return hash.update(readFileSync(join(source, '..', 'package.json'))).digest('hex')
}
