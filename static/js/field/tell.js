// A verdict told without looking at the screen: two short notes for good, one long low one for stop, and a shake.

const NOTES = {
  ok: [[1320, 0, 0.09]],
  attention: [[660, 0, 0.12], [660, 0.2, 0.12]],
  stop: [[196, 0, 0.6]],
};
const SHAKES = { ok: 40, attention: [80, 80, 80], stop: 600 };
let sound;

export function tell(tone) {
  if (!(tone in NOTES)) return;
  navigator.vibrate?.(SHAKES[tone]);
  sound ??= window.AudioContext && new AudioContext();
  if (!sound) return;
  for (const [pitch, start, length] of NOTES[tone]) {
    const note = sound.createOscillator();
    const loudness = sound.createGain();
    note.frequency.value = pitch;
    loudness.gain.value = 0.2;
    note.connect(loudness).connect(sound.destination);
    note.start(sound.currentTime + start);
    note.stop(sound.currentTime + start + length);
  }
}
