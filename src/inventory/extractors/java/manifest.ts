/** The main attributes of a jar: names in lower case. */
export type Manifest = ReadonlyMap<string, string>

/** Main sections of real jars have up to some 60 KiB (long lists of exported packages). */
const mostBytes = 1024 * 1024

/**
 * In: the bytes of META-INF/MANIFEST.MF. Out: the attributes of its main section, continued lines joined; of a name given
 * twice the last counts. JAR file specification, "JAR Manifest".
 */
export function parseManifest(bytes: Buffer): Manifest {
  const attributes = new Map<string, string>()
  let name: string | undefined
  for (const line of bytes.toString('utf8', 0, mostBytes).split(/\r\n|\r|\n/)) {
    if (line === '') break
    if (line.startsWith(' ')) {
      if (name !== undefined) attributes.set(name, (attributes.get(name) ?? '') + line.slice(1))
      continue
    }
    const colon = line.indexOf(':')
    name = colon <= 0 ? undefined : line.slice(0, colon).trim().toLowerCase()
    if (name !== undefined) attributes.set(name, line.slice(colon + 1).replace(/^ /, ''))
  }
  return attributes
}
