import type { Form } from './form.ts'
import { alpine } from './sources/alpine.ts'
import { debianChangelog } from './sources/debian-changelog.ts'
import { debianTracker } from './sources/debian-tracker.ts'
import { elixir } from './sources/elixir.ts'
import { exported } from './sources/exported.ts'
import { friendsofphp } from './sources/friendsofphp.ts'
import { kev } from './sources/kev.ts'
import { nodejs } from './sources/nodejs.ts'
import { osv } from './sources/osv.ts'
import { ruby } from './sources/ruby.ts'
import { wolfi } from './sources/wolfi.ts'

/** Every form of JSON that is understood, the most particular first. The lists of Debian are text: `sources/debian.ts`. */
export const forms: readonly Form[] = [
  exported,
  kev,
  alpine,
  wolfi,
  debianChangelog,
  nodejs,
  ruby,
  friendsofphp,
  elixir,
  osv,
  debianTracker,
]
