import { normalisePath } from '../tar/paths.ts'
import { decodeName } from '../tar/text.ts'

const maxLineChars = 8192

/**
 * In: a list of absolute paths, one a line, each after a number of other characters. Out: each without its leading
 * slash; the root itself left out, and lines that no path can have.
 */
export function ownedPaths(bytes: Buffer, skipChars = 0): string[] {
  const paths: string[] = []
  for (const line of decodeName(bytes).split('\n')) {
    if (line.length <= skipChars || line.length > maxLineChars) continue
    const path = normalisePath(line.slice(skipChars))
    if (path !== '') paths.push(path)
  }
  return paths
}
