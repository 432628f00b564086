// Made by scripts/generate.ts from src/inventory/extractors: don't edit it, add a file there.
import type { Extractor } from './extractor.ts'
import { alpm } from './extractors/alpm.ts'
import { apk } from './extractors/apk.ts'
import { bitnami } from './extractors/bitnami.ts'
import { composer } from './extractors/composer.ts'
import { conda } from './extractors/conda.ts'
import { dart } from './extractors/dart.ts'
import { debCopyright } from './extractors/deb-copyright.ts'
import { dpkg } from './extractors/dpkg.ts'
import { erlangArchive } from './extractors/erlang-archive.ts'
import { erlang } from './extractors/erlang.ts'
import { gem } from './extractors/gem.ts'
import { go } from './extractors/go.ts'
import { java } from './extractors/java.ts'
import { jdk } from './extractors/jdk.ts'
import { lua } from './extractors/lua.ts'
import { npmLock } from './extractors/npm-lock.ts'
import { npm } from './extractors/npm.ts'
import { nuget } from './extractors/nuget.ts'
import { opkg } from './extractors/opkg.ts'
import { packed } from './extractors/packed.ts'
import { programs } from './extractors/programs.ts'
import { pythonEgg } from './extractors/python-egg.ts'
import { pythonLicence } from './extractors/python-licence.ts'
import { python } from './extractors/python.ts'
import { r } from './extractors/r.ts'
import { release } from './extractors/release.ts'
import { rpmManifest } from './extractors/rpm-manifest.ts'
import { rpm } from './extractors/rpm.ts'
import { rust } from './extractors/rust.ts'
import { swift } from './extractors/swift.ts'
import { unsupported } from './extractors/unsupported.ts'
import { wordpress } from './extractors/wordpress.ts'
import { yarnCache } from './extractors/yarn-cache.ts'
import { yarnPnp } from './extractors/yarn-pnp.ts'
import { revisionOf } from './extractor.ts'

export const extractors: readonly Extractor[] = [
  alpm,
  apk,
  bitnami,
  composer,
  conda,
  dart,
  debCopyright,
  dpkg,
  erlangArchive,
  erlang,
  gem,
  go,
  java,
  jdk,
  lua,
  npmLock,
  npm,
  nuget,
  opkg,
  packed,
  programs,
  pythonEgg,
  pythonLicence,
  python,
  r,
  release,
  rpmManifest,
  rpm,
  rust,
  swift,
  unsupported,
  wordpress,
  yarnCache,
  yarnPnp,
]

/** Part of the key of stored layer facts. */
export const extractorRevision: string = revisionOf(extractors)
