// Made by scripts/generate.ts from src/inventory/extractors: don't edit it, add a file there.
import type { Extractor } from './extractor.ts'
import { apk } from './extractors/apk.ts'
import { dpkg } from './extractors/dpkg.ts'
import { npm } from './extractors/npm.ts'
import { python } from './extractors/python.ts'
import { release } from './extractors/release.ts'
import { unsupported } from './extractors/unsupported.ts'
import { revisionOf } from './extractor.ts'

export const extractors: readonly Extractor[] = [apk, dpkg, npm, python, release, unsupported]

/** Part of the key of stored layer facts. */
export const extractorRevision: string = revisionOf(extractors)
