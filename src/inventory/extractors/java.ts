import { contentOf } from '../content/content.ts'
import type { Extractor } from '../extractor.ts'
import { factsOfArchive } from './java/archive.ts'
import { javaLimits } from './java/limits.ts'
import { archiveName } from './java/survey.ts'

/**
 * Java's archives, with all that is nested in them and shaded into them: java/identity.ts says by what a package is told,
 * java/limits.ts how much one file may cost. Not read: `jmod` files and the `modules` of a runtime, which hold the JDK
 * itself (jdk.ts); lock files and poms beside an application, which say what was asked for and not what is there.
 */
export const java = {
  name: 'java',
  version: 5,
  maxBytes: javaLimits.fileBytes,
  spools: true,
  wants: (path) => archiveName.test(path),
  extract: (file) => factsOfArchive(file.spooled ?? contentOf(file.bytes), file.path),
} satisfies Extractor
