package pattern

// kind is the kind of a token.
type kind uint8

const (
	end   kind = iota
	other      // a character that begins no token
	leftBracket
	rightBracket
	leftParen
	rightParen
	colon
	dot
	comma
	asterisk
	equal
	notEqual
	less
	lessOrEqual
	greater
	greaterOrEqual

	name       // letters, digits and _
	hyphenName // a name with a hyphen, which only an object type may be unquoted

	stringLiteral
	integerLiteral
	floatLiteral
	hexLiteral
	binaryLiteral
	timestampLiteral

	// Keywords. They are written in capitals, true and false in small letters (§9.2).
	trueWord
	falseWord
	andWord
	orWord
	notWord
	followedByWord
	inWord
	likeWord
	matchesWord
	isSubsetWord
	isSupersetWord
	existsWord
	withinWord
	secondsWord
	repeatsWord
	timesWord
	startWord
	stopWord
)

// A token is a stretch of the pattern.
type token struct {
	kind       kind
	start, end int
}

func (k kind) keyword() bool { return k >= trueWord }

// wordKind tells keywords from names. hyphen says that word has one.
func wordKind(word string, hyphen bool) kind {
	if hyphen {
		return hyphenName
	}
	switch word {
	case "true":
		return trueWord
	case "false":
		return falseWord
	case "AND":
		return andWord
	case "OR":
		return orWord
	case "NOT":
		return notWord
	case "FOLLOWEDBY":
		return followedByWord
	case "IN":
		return inWord
	case "LIKE":
		return likeWord
	case "MATCHES":
		return matchesWord
	case "ISSUBSET":
		return isSubsetWord
	case "ISSUPERSET":
		return isSupersetWord
	case "EXISTS":
		return existsWord
	case "WITHIN":
		return withinWord
	case "SECONDS":
		return secondsWord
	case "REPEATS":
		return repeatsWord
	case "TIMES":
		return timesWord
	case "START":
		return startWord
	case "STOP":
		return stopWord
	}
	return name
}
