import type { Content } from '../../content/content.ts'
import { ZipError, beginsAsZip, directoryOf } from '../../zip/directory.ts'
import type { ZipEntry } from '../../zip/directory.ts'
import { javaLimits } from './limits.ts'
import type { Cost } from './limits.ts'

/** Archives that hold classes, by what deploys them: Java, Jakarta EE, Jenkins, Karaf, NiFi, Liferay. */
export const archiveName = /\.(?:jar|war|ear|par|sar|rar|har|hpi|jpi|kar|nar|lpkg)$/i

/** What of an archive tells what it is. */
export interface Survey {
  manifest?: ZipEntry
  /** Under `META-INF/maven/GROUP/ARTIFACT`, by that path. */
  descriptors: Map<string, Descriptor>
  nested: ZipEntry[]
  /** Whether there is code in it, beside what nested archives hold. */
  hasClasses: boolean
  /** Folders of its classes, at most three deep, the first of them. */
  folders: Set<string>
}

const mostFolders = 1000

export interface Descriptor {
  group: string
  artifact: string
  properties: ZipEntry[]
  poms: ZipEntry[]
}

/** Maven, its plug-ins and Gradle's put it there; shading keeps those of all that went in, also below another folder. */
const descriptorPath = /(?:^|\/)META-INF\/maven\/([^/]+)\/([^/]+)\/pom\.(properties|xml)$/

/**
 * In: an archive's content. Out: what stands in its directory; undefined where no Java would open it as an archive.
 * Throws ZipError: cut short, damaged, too large.
 */
export function surveyOf(content: Content, cost: Cost): Survey | undefined {
  const directory = directoryOf(content, javaLimits.directoryBytes)
  if (directory === undefined && beginsAsZip(content)) throw new ZipError('is cut short: it begins as a zip and has no end record')
  if (directory === undefined) return undefined
  cost.unpacked(directory.sizeBytes)
  const survey: Survey = { descriptors: new Map(), nested: [], hasClasses: false, folders: new Set() }
  for (const entry of directory.entries) {
    cost.entry()
    note(survey, entry)
  }
  return survey
}

function note(survey: Survey, entry: ZipEntry): void {
  const { name } = entry
  if (name.endsWith('.class')) noteClass(survey, name)
  else if (name.includes('META-INF/maven/')) noteDescriptor(survey, entry)
  else if (archiveName.test(name)) survey.nested.push(entry)
  else if (name.length === manifestPath.length && name.toUpperCase() === manifestPath) survey.manifest = entry
}

const manifestPath = 'META-INF/MANIFEST.MF'

function noteClass(survey: Survey, name: string): void {
  if (name.endsWith('module-info.class')) return
  survey.hasClasses = true
  for (
    let depth = 0, at = name.indexOf('/');
    depth < 3 && at > 0 && survey.folders.size < mostFolders;
    depth++, at = name.indexOf('/', at + 1)
  )
    survey.folders.add(name.slice(0, at))
}

function noteDescriptor(survey: Survey, entry: ZipEntry): void {
  const [, group, artifact, kind] = descriptorPath.exec(entry.name) ?? []
  if (group === undefined || artifact === undefined) return
  const key = `${group}/${artifact}`
  const known = survey.descriptors.get(key) ?? { group, artifact, properties: [], poms: [] }
  survey.descriptors.set(key, known)
  if (kind === 'properties') known.properties.push(entry)
  else known.poms.push(entry)
}
