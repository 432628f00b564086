import type { Extractor, Fact } from '../extractor.ts'
import { isPretended } from '../text/pretended.ts'
import { gemOf } from './gem/specification.ts'

const installed = /(?:^|\/)specifications\/(?:default\/)?[^/]+\.gemspec$/
/** Bundler keeps gems that it took from git as their sources. */
const fromGit = /(?:^|\/)bundler\/gems\/[^/]+-[0-9a-f]{7,40}\/[^/]+\.gemspec$/

/**
 * Ruby gems as RubyGems and bundler install them, the default gems of Ruby too, and those that bundler took from git.
 * What lies in the tests of a gem is none. guides.rubygems.org, "Specification Reference"; bundler.io, "git".
 */
export const gem = {
  name: 'gem',
  version: 1,
  maxBytes: 4 * 1024 * 1024,
  wants: (path) => path.endsWith('.gemspec') && (fromGit.test(path) || (installed.test(path) && !isInsideGem(path))),
  *extract({ path, bytes }): Generator<Fact> {
    const found = gemOf(bytes)
    if (found !== undefined) yield { package: found }
    else if (!fromGit.test(path)) yield { problem: 'no name or no version that can be read' }
    // The sources of a gem may compute their version: then it is there, and named as what can't be read.
    else yield { unsupported: { kind: 'gem', component: true } }
  },
} satisfies Extractor

function isInsideGem(path: string): boolean {
  const parts = path.split('/')
  const root = parts.findIndex((part, at) => parts[at - 1] === 'gems' && part.includes('-'))
  return root >= 0 && isPretended(parts.slice(root + 1, -1))
}
