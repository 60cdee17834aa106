// How the search orders what it finds: a heading that says what was searched for comes first. The
// other numbers are Sphinx's own. (A `var`: the theme declares the same name with one.)
var Scorer = {
  score: ([, , anchor, , score]) => score + (anchor ? 1000 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
