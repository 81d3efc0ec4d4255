/** How serious something is: the colour that it is shown in. */
export type Tone = 'good' | 'warn' | 'bad' | 'accent' | 'plain'
