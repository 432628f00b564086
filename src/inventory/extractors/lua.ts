import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { isIdentity, shortText } from '../text/identity.ts'

/** `…/lib/luarocks/rocks-5.4/NAME/VERSION/`, of Tarantool `.rocks/share/tarantool/rocks/NAME/VERSION/`. */
const tree = /(?:^|\/)(?:luarocks\/rocks(?:-[\d.]{1,8})?|tarantool\/rocks)\/([^/]+)\/([^/]+)\/([^/]+)$/
const maxHeadBytes = 64 * 1024
/** `license = "MIT/X11"` within `description = { … }`; a specification is a program, and only a plain text is read of it. */
const licenceLine =
  /^[ \t]{0,64}(?:description[ \t]{0,8}=[ \t]{0,8}\{[ \t]{0,8})?license[ \t]{0,8}=[ \t]{0,8}(?:"([^"\\\n]{0,1024})"|'([^'\\\n]{0,1024})'|\[\[([^\]\n]{0,1024})\]\])/m

/**
 * Rocks as LuaRocks keeps what it installed: the folder says name and version, as `luarocks list` has them; the specification
 * in it the licence. Where a slimmed image lost that, the list of files speaks (`rock_manifest`).
 * github.com/luarocks/luarocks, "Rockspec format" and "File locations". No advisories here speak of rocks.
 */
export const lua = {
  name: 'lua',
  version: 1,
  maxBytes: 16 * 1024 * 1024,
  wants: (path) => (path.endsWith('.rockspec') || path.endsWith('/rock_manifest')) && rockAt(path) !== undefined,
  groupOf: (path) => {
    const rock = rockAt(path)
    return rock && `${rock.folder}/${rock.name}-${rock.version}.rockspec`
  },
  *extract({ path, bytes }): Generator<Fact> {
    const rock = rockAt(path)
    if (rock === undefined) return
    const [, ...texts] = path.endsWith('.rockspec') ? (licenceLine.exec(bytes.toString('utf8', 0, maxHeadBytes)) ?? []) : []
    const licence = shortText(texts.find((text) => text !== undefined))
    const found: Package = { kind: 'luarocks', name: rock.name, version: rock.version, ...(licence !== undefined && { licence }) }
    yield isIdentity(rock.name) && isIdentity(rock.version)
      ? { package: found }
      : { problem: 'lies in folders that can be no name and version of a rock' }
  },
} satisfies Extractor

function rockAt(path: string): { folder: string; name: string; version: string } | undefined {
  const [, name, version, file] = tree.exec(path) ?? []
  if (name === undefined || version === undefined) return undefined
  if (file !== 'rock_manifest' && file !== `${name}-${version}.rockspec`) return undefined
  return { folder: path.slice(0, -file.length - 1), name, version }
}
