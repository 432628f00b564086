import type { LayerFacts } from '../../model/layer.ts'
import { messageOf } from '../../kit/errors.ts'
import { followLinks } from '../tar/links.ts'
import type { Standing } from './locations.ts'
import { visibleOutlines } from './tree.ts'

/** Where tools look for what is installed: files, and folders of such files. */
const databases = [
  'var/lib/dpkg/status',
  'var/lib/dpkg/status.d',
  'lib/apk/db/installed',
  'usr/lib/apk/db/installed',
  'var/lib/rpm',
  'usr/lib/sysimage/rpm',
  'usr/share/rpm',
]

/**
 * Package databases that a symbolic link leads to at a place where they are not looked for: nobody has read them, so the
 * image must not pass as one that holds nothing. A link to another usual place is fine: that one was read.
 * In: layers, what stands, and every visible link. Out: a problem for each.
 */
export function detours(layers: readonly LayerFacts[], standing: Standing, links: ReadonlyMap<string, string>): string[] {
  const led = databases.map((path) => ({ path, real: realPath(path, links) })).filter(({ path, real }) => real !== path)
  if (led.length === 0) return []
  const unread = new Set<string>()
  for (const { file } of visibleOutlines(layers)) {
    if (file.type === 'directory' || file.type === 'symlink' || standing.said.has(file.path)) continue
    for (const { path, real } of led) if (file.path === real || file.path.startsWith(`${real}/`)) unread.add(path)
  }
  const read = (real: string) => standing.said.has(real) || databases.includes(real)
  return led
    .filter(({ path, real }) => unread.has(path) && !read(real))
    .map(({ path, real }) => `${path}: a link leads to ${real}, which is not read`)
}

function realPath(path: string, links: ReadonlyMap<string, string>): string {
  try {
    return followLinks(path, (at) => links.get(at))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return `nowhere (${messageOf(error)})`
  }
}
