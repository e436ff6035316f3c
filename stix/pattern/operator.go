package pattern

// An ObservationOperator joins observation expressions (§9.5.2).
type ObservationOperator uint8

// The observation operators, from the weakest to the strongest (§9.5.3).
const (
	FollowedBy ObservationOperator = iota + 1
	ObservationOr
	ObservationAnd
)

// String returns the operator as a pattern has it.
func (o ObservationOperator) String() string {
	switch o {
	case FollowedBy:
		return "FOLLOWEDBY"
	case ObservationOr:
		return "OR"
	case ObservationAnd:
		return "AND"
	}
	return "no operator"
}

func (o ObservationOperator) token() kind {
	return [...]kind{FollowedBy: followedByWord, ObservationOr: orWord, ObservationAnd: andWord}[o]
}

// A BooleanOperator joins comparison expressions (§9.6).
type BooleanOperator uint8

// The boolean operators, from the weaker to the stronger (§9.5.3).
const (
	Or BooleanOperator = iota + 1
	And
)

// String returns the operator as a pattern has it.
func (o BooleanOperator) String() string {
	switch o {
	case Or:
		return "OR"
	case And:
		return "AND"
	}
	return "no operator"
}

func (o BooleanOperator) token() kind {
	return [...]kind{Or: orWord, And: andWord}[o]
}

// A ComparisonOperator compares a property with a constant (§9.6.1).
type ComparisonOperator uint8

// The comparison operators.
const (
	Equal ComparisonOperator = iota + 1
	NotEqual
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
	In
	Like
	Matches
	IsSubset
	IsSuperset
	Exists
)

// comparisonOperators are the operators by their tokens.
var comparisonOperators = [stopWord + 1]ComparisonOperator{
	equal: Equal, notEqual: NotEqual, less: Less, lessOrEqual: LessOrEqual, greater: Greater, greaterOrEqual: GreaterOrEqual,
	inWord: In, likeWord: Like, matchesWord: Matches, isSubsetWord: IsSubset, isSupersetWord: IsSuperset,
}

var operatorText = [...]string{
	"no operator", "=", "!=", "<", "<=", ">", ">=", "IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET", "EXISTS",
}

// String returns the operator as a pattern has it.
func (o ComparisonOperator) String() string {
	if int(o) >= len(operatorText) {
		return operatorText[0]
	}
	return operatorText[o]
}
