import type { Extractor, Fact } from '../extractor.ts'

interface Known {
  kind: string
  pattern: RegExp
}

/**
 * What we recognise and can't read yet: databases of distributions. An image with one of them is not judged as though it held
 * nothing.
 */
const known: Known[] = [
  { kind: 'portage', pattern: /^var\/db\/pkg\/[^/]+\/[^/]+\/PF$/ },
  { kind: 'nix', pattern: /^nix\/var\/nix\/db\/db\.sqlite$/ },
  { kind: 'guix', pattern: /^var\/guix\/db\/db\.sqlite$/ },
  { kind: 'xbps', pattern: /^var\/db\/xbps\/pkgdb-[^/]+\.plist$/ },
  { kind: 'slackware', pattern: /^var\/(?:lib\/pkgtools|log)\/packages\/[^/]+-[^/]+-[^/]+-[^/]+$/ },
]

export const unsupported = {
  name: 'unsupported',
  version: 3,
  maxBytes: 0,
  wants: (path) => kindOf(path) !== undefined,
  *extract(file): Generator<Fact> {
    const found = kindOf(file.path)
    if (found === undefined || file.sizeBytes === 0) return
    yield { unsupported: { kind: found.kind } }
  },
} satisfies Extractor

/** Every path of every layer is asked for: the first letters settle most. */
function kindOf(path: string): Known | undefined {
  return path.startsWith('var/') || path.startsWith('nix/') ? known.find(({ pattern }) => pattern.test(path)) : undefined
}
