/** What the browser can tell of a picture, a film or a sound, for the fields of the Bot API. */

export type MediaDetails = Readonly<Partial<Record<'width' | 'height' | 'duration', string>>>;

/** How long the browser may take to look into a file. */
const PATIENCE_MS = 2_000;

/** Resolves to nothing for a file that the browser cannot read. */
export async function mediaDetails(file: Blob): Promise<MediaDetails> {
  const [kind] = file.type.split('/');
  if (kind === 'image') return sizeOfPicture(file);
  return kind === 'video' || kind === 'audio' ? detailsOfFilm(file, kind) : {};
}

async function sizeOfPicture(file: Blob): Promise<MediaDetails> {
  try {
    const { width, height } = await createImageBitmap(file);
    return { width: `${width}`, height: `${height}` };
  } catch {
    return {};
  }
}

async function detailsOfFilm(file: Blob, kind: 'video' | 'audio'): Promise<MediaDetails> {
  const element = document.createElement(kind);
  const url = URL.createObjectURL(file);
  try {
    const read = new Promise<boolean>((resolve) => {
      element.addEventListener('loadedmetadata', () => resolve(true));
      element.addEventListener('error', () => resolve(false));
      setTimeout(() => resolve(false), PATIENCE_MS);
    });
    element.src = url;
    if (!(await read)) return {};
    // A recording that is still without an index has no end.
    const duration = Number.isFinite(element.duration)
      ? { duration: `${Math.max(1, Math.round(element.duration))}` }
      : {};
    const isFilm = element instanceof HTMLVideoElement && element.videoWidth > 0;
    return isFilm
      ? { ...duration, width: `${element.videoWidth}`, height: `${element.videoHeight}` }
      : duration;
  } finally {
    URL.revokeObjectURL(url);
  }
}
