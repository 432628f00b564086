/** Sources of advisories that are asked over the network, in the order in which what they bring is laid down. */
export const sourceNames = ['osv', 'alpine', 'debian', 'kev', 'epss'] as const
export type SourceName = (typeof sourceNames)[number]

/** A source to be asked, and where: absent `base` for the source's own address. */
export interface ChosenSource {
  name: SourceName
  /** An http or https URL: of a file, or of the folder that a mirror has in its place. */
  base?: string
}

export function isSourceName(text: string): text is SourceName {
  return (sourceNames as readonly string[]).includes(text)
}
