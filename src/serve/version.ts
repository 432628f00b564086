import about from '../../package.json' with { type: 'json' }

export const lazaretVersion: string = about.version
