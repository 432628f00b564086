import type { Extractor, Fact } from '../extractor.ts'

interface Known {
  kind: string
  pattern: RegExp
  component?: true
}

/**
 * What we recognise and can't read yet. First the databases of distributions: an image with one of them is not judged as
 * though it held nothing. Then programs and libraries that stand for themselves. The list is short, and honest: Go and
 * Rust programs are not in it, because only their bytes tell.
 */
const known: Known[] = [
  { kind: 'portage', pattern: /^var\/db\/pkg\/[^/]+\/[^/]+\/PF$/ },
  { kind: 'nix', pattern: /^nix\/var\/nix\/db\/db\.sqlite$/ },
  { kind: 'guix', pattern: /^var\/guix\/db\/db\.sqlite$/ },
  { kind: 'xbps', pattern: /^var\/db\/xbps\/pkgdb-[^/]+\.plist$/ },
  { kind: 'slackware', pattern: /^var\/(?:lib\/pkgtools|log)\/packages\/[^/]+-[^/]+-[^/]+-[^/]+$/ },
  { kind: 'erlang', pattern: /(?:^|\/)ebin\/[^/]+\.app$/, component: true },
  { kind: 'luarocks', pattern: /(?:^|\/)luarocks\/rocks[^/]*\/[^/]+\/[^/]+\/rock_manifest$/, component: true },
]

export const unsupported = {
  name: 'unsupported',
  version: 2,
  maxBytes: 0,
  wants: (path) => kindOf(path) !== undefined,
  *extract(file): Generator<Fact> {
    const found = kindOf(file.path)
    if (found === undefined || file.sizeBytes === 0) return
    yield { unsupported: { kind: found.kind, ...(found.component && { component: true }) } }
  },
} satisfies Extractor

/** Every path of every layer is asked for: the last letters settle most at the cost of one look. */
function kindOf(path: string): Known | undefined {
  if (!/(?:ges|\.db|ite|esc|tus|\/PF|ist|app|est)$|\/packages\//.test(path)) return undefined
  return known.find(({ pattern }) => pattern.test(path))
}
