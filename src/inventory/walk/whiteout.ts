const prefix = '.wh.'
const opaqueName = '.wh..wh..opq'

export type Whiteout = { kind: 'opaque' } | { kind: 'whiteout'; name: string } | { kind: 'ignored' } | { kind: 'invalid' }

/**
 * In: the last part of a path. Out: what it asks of lower layers, or undefined where it is a file like any.
 * OCI image-spec, layer.md, "Whiteouts". Other names with `.wh..wh.` are AUFS's own and leave nothing behind; a name
 * that would remove its own folder or the one above is refused by containerd.
 */
export function parseWhiteout(base: string): Whiteout | undefined {
  if (!base.startsWith(prefix)) return undefined
  if (base === opaqueName) return { kind: 'opaque' }
  const name = base.slice(prefix.length)
  if (name === '' || name === '.' || name === '..') return { kind: 'invalid' }
  return name.startsWith(prefix) ? { kind: 'ignored' } : { kind: 'whiteout', name }
}
